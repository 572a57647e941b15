export interface Configuration {
  text: string
  contentType: string
  versionLabel?: string | undefined
}

/** The deployed configurations, one per application, environment and profile. */
export interface Configurations {
  /** Deploys a configuration. Each deployment is a new version, even with the same text. */
  deploy: (application: string, environment: string, profile: string, text: string, details?: Partial<Omit<Configuration, 'text'>>) => void
  get: (application: string, environment: string, profile: string) => Configuration | undefined
}

/** Creates an empty set of configurations. */
export function createConfigurations (): Configurations {
  const configurations = new Map<string, Configuration>()
  const key = (...names: string[]): string => JSON.stringify(names)
  return {
    deploy (application, environment, profile, text, details) {
      configurations.set(key(application, environment, profile), { contentType: 'application/json', ...details, text })
    },
    get: (application, environment, profile) => configurations.get(key(application, environment, profile))
  }
}
