/** Returns the members of all batches in one list. */
export async function collectBatches<T> (batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}
