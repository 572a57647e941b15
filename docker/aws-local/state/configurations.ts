export interface Configuration {
  text: string
  contentType: string
  versionLabel?: string | undefined
}

/** The configurations that are deployed, one for each application, environment and profile. */
export interface Configurations {
  /** Every deployment is a new version, even of the same text. */
  deploy: (application: string, environment: string, profile: string, text: string, details?: Partial<Omit<Configuration, 'text'>>) => void
  get: (application: string, environment: string, profile: string) => Configuration | undefined
}

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
