/** Segments of unreserved characters (RFC 3986 §2.3), none of which is `.` or `..`: clients resolve those. */
const form = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+){1,8}$/

export const basePathFormat = 'expected a path such as /prod: it begins with "/", does not end with "/", and has letters, digits, "-", ".", "_" and "~" between'

/** Returns whether a text can be the path below which the gateway has its routes. */
export function isBasePath (text: string): boolean {
  return text.length <= 256 && form.test(text)
}

/** Returns a path without the base path that it begins with. */
export function withoutBasePath (path: string, basePath: string): string {
  return basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path
}
