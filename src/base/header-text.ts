const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Returns a header's value as text. Node.js reads header values as latin1, one character for each byte, but many proxies send UTF-8.
 * Bytes that are not UTF-8 stay latin1.
 */
export function headerText (value: string): string {
  const hasBytes = /[\u0080-\u00ff]/.test(value) && !/[^\0-\u00ff]/.test(value)
  if (!hasBytes) return value
  try {
    return utf8.decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}
