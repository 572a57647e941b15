import { registry } from '../schema.ts'
import type { EventTargetType } from './target.ts'
import { embedded } from './targets/embedded.ts'
import { http } from './targets/http.ts'
import { kinesisFirehose } from './targets/kinesis-firehose.ts'
import { kinesisStream } from './targets/kinesis-stream.ts'
import { personalizeEventTracker } from './targets/personalize-event-tracker.ts'
import { redisStream } from './targets/redis-stream.ts'

/** Every kind of event target that a configuration may name, by its `type`. */
export const eventTargetTypes = registry<EventTargetType>(embedded, personalizeEventTracker, kinesisStream, kinesisFirehose, http, redisStream)
