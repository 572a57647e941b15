import type { Scope } from '../scope.ts'
import type { Service } from '../service.ts'
import { appconfigdata } from './appconfigdata.ts'
import { evidently } from './evidently.ts'
import { firehose } from './firehose.ts'
import { kinesis } from './kinesis.ts'
import { lambda } from './lambda.ts'
import { personalize } from './personalize.ts'
import { personalizeEvents } from './personalize-events.ts'
import { personalizeRuntime } from './personalize-runtime.ts'
import { sagemakerRuntime } from './sagemaker-runtime.ts'
import { secretsmanager } from './secretsmanager.ts'

const factories: ReadonlyArray<(scope: Scope) => Service> = [
  personalizeRuntime, personalizeEvents, personalize, sagemakerRuntime, lambda, firehose, kinesis, appconfigdata, evidently, secretsmanager
]

/** Opens all services. */
export function openServices (scope: Scope): Service[] {
  return factories.map(open => open(scope))
}
