import { isId } from '../base/schema.ts'
import { membersOf } from './json-members.ts'

/**
 * Returns the `itemId` in an event's properties, where some clients put it: Amplify, and customer data platforms.
 * @param properties the JSON text of an object
 * @returns the id, with its digits as written if it is a number; undefined if there is none
 */
export function itemInProperties (properties: string): string | undefined {
  const member = membersOf(properties).findLast(({ key }) => key === 'itemId')
  if (member === undefined) return undefined
  const written = properties.slice(member.valueFrom, member.to)
  const id = written.startsWith('"') ? JSON.parse(written) as string : /^[-\d]/.test(written) ? written : ''
  return isId(id) ? id : undefined
}
