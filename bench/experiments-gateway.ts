import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { answering, type Processes, type StartOptions } from './hits-processes.ts'

export interface TestedGatewayOptions {
  /** The port of the recommender that both variations call. */
  originPort: number
  experiments: object
  eventTargets: object[]
  /** Further members of the document. */
  more?: object
  env?: Record<string, string>
  on?: StartOptions['on']
}

/** Starts a gateway with its own folder, whose recommender `home` of the namespace `bench` has experiments over `a` and `b`. */
export async function startTestedGateway (processes: Processes, name: string, { originPort, experiments, eventTargets, more, env, on }: TestedGatewayOptions): Promise<{ port: number, child: ChildProcess }> {
  const folder = join(processes.folder, name.replaceAll(/\W/g, '-'))
  mkdirSync(folder)
  const variations = Object.fromEntries(['a', 'b'].map(name => [name, { type: 'http', url: `http://127.0.0.1:${originPort}/${name}/{userId}` }]))
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...more, namespaces: { bench: { recommenders: { 'recommend-items': { home: { variations, experiments } } }, eventTargets } } }))
  const port = await freePort()
  const own = { CONFIG_FILE: join(folder, 'config.json'), DATA_DIR: folder, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', ACCESS_LOG: 'errors' }
  const child = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { env: { ...own, ...env }, ...(on === undefined ? {} : { on }) })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  return { port, child }
}
