import type { Page } from './browser.ts'

/** A function that runs in the page: opens every operation of Swagger UI, executes its example, and returns the status of each. */
async function executeAll (): Promise<Record<string, string>> {
  const page = (globalThis as unknown as { document: { querySelectorAll: (selector: string) => Iterable<Element> } }).document
  interface Element {
    querySelector: (selector: string) => (Element & { click: () => void, textContent: string }) | null
    querySelectorAll: (selector: string) => Iterable<Element>
    id: string
  }
  const until = async <T>(find: () => T | null | undefined | false): Promise<T> => {
    const end = Date.now() + 10_000
    for (;;) {
      const found = find()
      if (found) return found
      if (Date.now() > end) throw new Error(`not found: ${String(find)}`)
      await new Promise(resolve => { setTimeout(resolve, 10) })
    }
  }
  await until(() => [...page.querySelectorAll('.opblock')].length > 0)
  const statuses: Record<string, string> = {}
  for (const { id } of [...page.querySelectorAll('.opblock')]) {
    const block = (): Element => [...page.querySelectorAll('.opblock')].find(other => other.id === id)!
    block().querySelector('.opblock-summary-control')!.click()
    ;(await until(() => block().querySelector('.try-out__btn'))).click()
    ;(await until(() => block().querySelector('.execute'))).click()
    const status = await until(() => block().querySelector('.live-responses-table tbody .response-col_status'))
    const path = block().querySelector('.opblock-summary-path')!.textContent.replace(/\u200b/g, '')
    statuses[`${block().querySelector('.opblock-summary-method')!.textContent} ${path}`] = status.textContent.trim().slice(0, 3)
    block().querySelector('.opblock-summary-control')!.click()
  }
  return statuses
}

/** Presses "Execute" for every operation of the page, with the examples that are there. @returns the statuses, by method and path */
export async function executeExamples (page: Page): Promise<Record<string, string>> {
  return await page.evaluate(`(${executeAll.toString()})()`) as Record<string, string>
}
