/** The part of a queue that each holder uses: a user, or a partition key. It keeps one of them from filling the queue for all others. */
export interface Shares {
  add: (holders: readonly string[], bytes: number) => void
  remove: (holders: readonly string[], bytes: number) => void
  /** Returns whether a holder uses its whole share. */
  isUsedUp: (holder: string) => boolean
}

/** Creates the shares of an empty queue. @param most the numbers of parcels and bytes of one share */
export function createShares (most: { parcels: number, bytes: number }): Shares {
  /** By holder. Holders of nothing are not in the map, so that it is no larger than the queue. */
  const used = new Map<string, { parcels: number, bytes: number }>()

  function change (holders: readonly string[], parcels: number, bytes: number): void {
    for (const holder of holders) {
      const share = used.get(holder) ?? { parcels: 0, bytes: 0 }
      share.parcels += parcels
      share.bytes += bytes
      if (share.parcels === 0) used.delete(holder)
      else used.set(holder, share)
    }
  }

  return {
    add (holders, bytes) { change(holders, 1, bytes) },
    remove (holders, bytes) { change(holders, -1, -bytes) },
    isUsedUp (holder) {
      const share = used.get(holder)
      return share !== undefined && (share.parcels >= most.parcels || share.bytes >= most.bytes)
    }
  }
}
