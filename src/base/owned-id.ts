/** The parts of an event that tell whether two events are the same one. */
export interface OwnedEvent {
  readonly userId?: string | undefined
  readonly sessionId?: string | undefined
  readonly eventId: string
}

/**
 * Returns a text that is the same for two events only if they have the same id and come from the same user, or from the same session where
 * they name no user. Clients number their events themselves, so that an id alone says little.
 */
export function ownedId ({ userId, sessionId = '', eventId }: OwnedEvent): string {
  // The length separates the owner from the id, since both may contain any character.
  return userId === undefined ? `s${sessionId.length}:${sessionId}${eventId}` : `u${userId.length}:${userId}${eventId}`
}
