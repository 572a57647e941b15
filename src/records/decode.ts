import { UserError } from '../base/user-error.ts'

/** Decodes UTF-8 and drops the byte order mark that some programs write. @throws UserError for bytes that are not UTF-8 */
export async function * decodeUtf8 (chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (chunk?: Buffer): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
    } catch (cause) {
      throw new UserError('the file is not UTF-8', { cause })
    }
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}
