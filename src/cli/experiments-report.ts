import { within } from '../base/deadline.ts'
import { UserError } from '../base/user-error.ts'
import type { ExperimentReport } from '../experiments/report.ts'
import { readSettings } from '../settings.ts'
import { reportLines } from './experiments-table.ts'
import { readHeaderOptions } from './headers.ts'

export interface ExperimentsReportOptions {
  url: string
  namespace?: string
  json?: boolean
  header: string[]
}

/** The longest time for the answer, in ms. */
const patience = 30_000

/** Prints the results of the experiments of a gateway. */
export async function reportExperiments ({ url, namespace, json, header }: ExperimentsReportOptions): Promise<void> {
  const { ADMIN_KEY } = readSettings()
  const headers = { ...(ADMIN_KEY === undefined ? {} : { 'x-api-key': ADMIN_KEY }), ...readHeaderOptions(header) }
  const reports = await ask(`${url}/experiments${namespace === undefined ? '' : `/${encodeURIComponent(namespace)}`}`, headers)
  if (json === true) console.log(JSON.stringify(reports, null, 2))
  else if (reports.length === 0) console.error(namespace === undefined ? 'there are no experiments' : `there are no experiments in "${namespace}"`)
  else console.log(reports.map(report => reportLines(report).join('\n')).join('\n\n'))
}

/** @throws UserError if the gateway does not answer, or refuses */
async function ask (url: string, headers: Record<string, string>): Promise<ExperimentReport[]> {
  let status: number
  let text: string
  try {
    // A redirection would take the key to another server.
    [status, text] = await within(patience, async ({ abortSignal: signal }) => {
      const response = await fetch(url, { headers, signal, redirect: 'manual' })
      return [response.status, await response.text()]
    })
  } catch (error) {
    const { cause, message } = error as Error
    throw new UserError(`${url} cannot be asked: ${cause instanceof Error ? (cause as NodeJS.ErrnoException).code ?? cause.message : message}`, { cause: error })
  }
  const answer = parse(text)
  if (status === 200 && Array.isArray(answer)) return answer as ExperimentReport[]
  const { code = '', message = '' } = (answer ?? {}) as { code?: string, message?: string }
  const hint = code === 'Unauthorized' ? '; set ADMIN_KEY, or send --header "X-Api-Key: …"' : ''
  throw new UserError(`${url} gives no reports: ${`${status} ${code} ${message}`.trim()}${hint}`)
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
