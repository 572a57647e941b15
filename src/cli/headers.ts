import { headerProblems } from '../base/http-headers.ts'
import { UserError } from '../base/user-error.ts'

/** Reads headers, with names in lower case: a JSON object of strings, or lines of `Name: value`. @throws UserError naming the bad part */
export function readHeaders (text: string, file: string): Record<string, string> {
  if (text.trimStart().startsWith('{')) return readJson(text, file)
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '')
  return Object.fromEntries(lines.map((line, i) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined) throw new UserError(`${file}: expected lines of "Name: value"; number ${i + 1} is not one`)
    return [name.toLowerCase(), value!]
  }))
}

/** Reads the lines of `--header`. @throws UserError naming a line that is no header, or a header that the connection sets itself */
export function readHeaderOptions (lines: readonly string[]): Record<string, string> {
  const headers = readHeaders(lines.join('\n'), '--header')
  const [problem] = headerProblems(headers)
  if (problem !== undefined) throw new UserError(`--header: ${problem.key.replace('headers/', '')} ${problem.message}`)
  return headers
}

function readJson (text: string, file: string): Record<string, string> {
  let headers: unknown
  try {
    headers = JSON.parse(text)
  } catch (cause) {
    throw new UserError(`${file} is not JSON`, { cause })
  }
  const entries = Object.entries(headers as object)
  const wrong = entries.find(([, value]) => typeof value !== 'string')
  if (wrong !== undefined) throw new UserError(`${file}: expected a JSON object of strings; "${wrong[0].slice(0, 80)}" is not`)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value as string]))
}
