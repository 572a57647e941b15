import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { prepareDataDir } from '../../src/connections/data-dir.ts'
import { holdDataDir } from '../../src/connections/data-dir-holders.ts'
import { packagedFile } from '../../src/settings.ts'
import { eventually } from '../support/eventually.ts'
import { finished, run } from '../support/server-process.ts'

function dataFolder (t: Test): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-holders-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

const hold = async (dataDir: string, namespace: string | undefined): ReturnType<typeof holdDataDir> => holdDataDir(dataDir, Promise.resolve(namespace))

t.test('DATA_DIR is shared within a PID namespace, and refused in another one with a line that names the holder', async t => {
  const dataDir = dataFolder(t)
  const holders = [await hold(dataDir, '1'), await hold(dataDir, '1')]
  const refusal = await hold(dataDir, '2').then(() => undefined, (error: Error) => error.message)
  t.match(refusal, new RegExp(`^DATA_DIR ${dataDir} is in use by process ${process.pid} of .*: give each instance a DATA_DIR of its own, or stop that one first`))
  t.notMatch(refusal, '\n')
  await holders[0]!.release()
  await t.rejects(hold(dataDir, '2'), { message: /in use/ }, 'the second one still holds it')
  await holders[1]!.release()
  const other = await hold(dataDir, '2')
  await other.release()
  t.strictSame(readdirSync(join(dataDir, 'holders')), [])
})

t.test('of processes of several PID namespaces that start at the same moment, those of one get DATA_DIR', async t => {
  const dataDir = dataFolder(t)
  const attempts = await Promise.allSettled(['1', '2', '3', '4'].map(async namespace => hold(dataDir, namespace)))
  t.equal(attempts.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const attempt of attempts) if (attempt.status === 'fulfilled') await attempt.value.release()
})

t.test('a DATA_DIR with a long path is held too, and one of a system without PID namespaces needs no holder', async t => {
  const dataDir = join(dataFolder(t), 'x'.repeat(200))
  mkdirSync(dataDir)
  const held = await hold(dataDir, '1')
  await t.rejects(hold(dataDir, '2'), { message: /in use/ })
  await held.release()
  await (await hold(dataDir, undefined)).release()
})

t.test('a DATA_DIR on a network file system is refused by name', async t => {
  const dataDir = dataFolder(t)
  for (const [type, name] of [[0x6969, 'NFS'], [0xFF534D42, 'SMB'], [0xFE534D42 | 0, 'SMB'], [0x01021997, '9P']] as const) {
    await t.rejects(prepareDataDir(dataDir, async () => type), { message: new RegExp(`^DATA_DIR .* is on a network file system, ${name}.*a disk of this machine`) })
  }
  for (const local of [0xEF53, 0x58465342, 0x01021994, 0x794C7630]) await t.resolves(prepareDataDir(dataDir, async () => local))
})

t.test('a DATA_DIR that is a file is refused by name', async t => {
  const file = join(dataFolder(t), 'file')
  writeFileSync(file, '')
  await t.rejects(prepareDataDir(file), { message: /^DATA_DIR .*file is a file: set DATA_DIR to a directory that uid \d+ may write/ })
  await t.rejects(prepareDataDir(join(file, 'below')), { message: /^DATA_DIR .* is no directory/ })
})

t.test('a DATA_DIR that is not writable is refused with the uid', { skip: process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0 ? false : 'only root can start a process of another user' }, async t => {
  const dataDir = dataFolder(t)
  chmodSync(dataDir, 0o755)
  const child = spawn('setpriv', ['--reuid', '65534', '--clear-groups', process.execPath, '-e',
    `import(${JSON.stringify(packagedFile('dist/src/connections/data-dir.js'))}).then(m => m.prepareDataDir(process.argv[1])).catch(error => { console.log(error.message) })`, dataDir])
  t.match(await finished(child), { output: new RegExp(`^DATA_DIR ${dataDir} cannot be written by uid 65534; it belongs to uid 0, with the mode 755: give that user the directory`) })
})

const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
const canUnshare = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0

t.test('a second gateway in another PID namespace is refused with one line, and one that was killed holds nothing', { skip: canUnshare ? false : 'this machine does not let the test make a PID namespace' }, async t => {
  const dataDir = dataFolder(t)
  const environment = { DATA_DIR: dataDir, PORT: '0', HOST: '127.0.0.1' }
  const elsewhere = (file: string, ...args: string[]): ReturnType<typeof run> => spawn(unshare[0]!, [...unshare.slice(1), process.execPath, packagedFile(`dist/src/${file}`), ...args], {
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', ...environment }, stdio: ['ignore', 'pipe', 'pipe']
  })
  const isOpen = async (child: ReturnType<typeof run>): Promise<void> => {
    let output = ''
    child.stdout!.on('data', (chunk: Buffer) => { output += chunk.toString() })
    child.stderr!.on('data', (chunk: Buffer) => { output += chunk.toString() })
    t.teardown(() => child.kill('SIGKILL'))
    await eventually('the sample store is open', () => {
      if (child.exitCode !== null) throw new Error(output)
      return output.includes('The sample store is open')
    }, 40_000)
  }
  const first = run('server.js', [], environment)
  await isOpen(first)
  for (const child of [elsewhere('server.js'), elsewhere('cli.js', 'events', 'import', '--namespace', 'sample-store', packagedFile('samples/events.jsonl'))]) {
    const { code, output } = await finished(child)
    t.equal(code, 1)
    t.match(output, new RegExp(`^DATA_DIR ${dataDir} is in use by process \\d+ of [^\\n]*\\n$`))
  }
  first.kill('SIGKILL')
  await once(first, 'close')
  await isOpen(elsewhere('server.js'))
})
