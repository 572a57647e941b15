import type { Histories } from './histories.ts'

/** Users of one session, at most. Beyond it, the session id says nothing: it is a constant, or a device in a public place. */
export const mostUsersOfSession = 3

export interface SessionChanges {
  /** Called when the history of a session without a user becomes the history of its first user. */
  onJoin: (history: number, sessionId: string, userId: string) => void
  /** Called before a session that too many users share loses its histories. */
  onShare: (sessionId: string) => void
}

/**
 * Finds the history to which an event of a session belongs, or begins it.
 * - Each user of a session has a history of his own.
 * - The first user takes over the history of the time before, in which the session named no user.
 * - An event without a user belongs to the only user of its session. If there are several, it belongs to none of them.
 * @param userId undefined if the event names no user
 * @returns the history; 0 if too many users share the session
 */
export function historyInSession (histories: Histories, sessionId: string, userId: string | undefined, { onJoin, onShare }: SessionChanges): number {
  if (histories.isShared(sessionId)) return 0
  let users = 0
  let first = 0
  for (let history = histories.ofSession(sessionId) ?? 0; history !== 0; history = histories.earlierInSession(history)) {
    const user = histories.userOf(history)
    if (user === userId) return history
    if (user !== undefined) users++
    first = history
  }
  if (userId === undefined) return users === 1 ? first : histories.begin(sessionId)
  if (users === mostUsersOfSession) {
    onShare(sessionId)
    histories.share(sessionId)
    return 0
  }
  if (first === 0 || users > 0) return histories.begin(sessionId, userId)
  histories.setUser(first, userId)
  onJoin(first, sessionId, userId)
  return first
}
