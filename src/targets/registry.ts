import { registry } from '../base/schema.ts'
import type { EventTargetType } from './target.ts'
import { embedded } from './embedded.ts'
import { http } from './http.ts'
import { kinesisFirehose } from './kinesis-firehose.ts'
import { kinesisStream } from './kinesis-stream.ts'
import { personalizeEventTracker } from './personalize-event-tracker.ts'
import { redisStream } from './redis-stream.ts'

/** Every kind of event target that a configuration may name, by its `type`. */
export const eventTargetTypes = registry<EventTargetType>(embedded, personalizeEventTracker, kinesisStream, kinesisFirehose, http, redisStream)
