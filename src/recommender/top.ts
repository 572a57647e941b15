/**
 * Returns the positions of the `k` largest of the first `length` values, largest first. Of equal values, the earlier position wins.
 * Uses a heap of size k with the worst value on top: O(length · log k).
 */
export function topPositions (values: Float64Array, length: number, k: number): Int32Array {
  const size = Math.min(k, length)
  const heap = new Int32Array(size)
  const worse = (a: number, b: number): boolean => {
    const difference = values[a]! - values[b]!
    return difference < 0 || (difference === 0 && a > b)
  }
  const siftDown = (from: number, end: number): void => {
    const position = heap[from]!
    let at = from
    for (let child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && worse(heap[child + 1]!, heap[child]!)) child++
      if (!worse(heap[child]!, position)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = position
  }

  for (let i = 0; i < size; i++) heap[i] = i
  for (let i = (size >> 1) - 1; i >= 0; i--) siftDown(i, size)
  for (let i = size; i < length; i++) {
    if (worse(i, heap[0]!)) continue
    heap[0] = i
    siftDown(0, size)
  }
  for (let end = size - 1; end > 0; end--) {
    const worst = heap[0]!
    heap[0] = heap[end]!
    heap[end] = worst
    siftDown(0, end)
  }
  return heap
}
