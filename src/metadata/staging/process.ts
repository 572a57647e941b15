import { leanHeap } from '../../base/lean-heap.ts'
import { LockedError } from '../../base/lock.ts'
import { CatalogError } from '../catalog.ts'
import { openBucket, type BucketPlace } from './bucket.ts'
import { loadArgument, loadHere, type LoadResult, type LoadTask } from './load.ts'

interface Message {
  bucket: BucketPlace
  task: LoadTask
}

/** Runs the process that `loadBeside` starts: performs one load, sends its result to the parent, and exits. Without a parent it exits at once. */
function serve (): void {
  leanHeap()
  process.once('disconnect', () => { process.exit() })
  process.once('message', ({ bucket, task }: Message) => {
    void load(bucket, task).then(result => { process.send!(result, () => { process.disconnect() }) })
  })
}

async function load (place: BucketPlace, task: LoadTask): Promise<LoadResult> {
  const bucket = await openBucket(place)
  try {
    return { outcome: await loadHere(bucket, task, new AbortController().signal) }
  } catch (error) {
    if (error instanceof CatalogError) return { refused: error.message }
    if (error instanceof LockedError) return { locked: error.message }
    return { failed: String(error) }
  } finally {
    bucket.close()
  }
}

if (process.argv[2] === loadArgument) serve()
