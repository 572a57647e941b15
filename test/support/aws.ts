import type { Test } from 'tap'
import type { AwsLocal, AwsLocalOptions } from '../../docker/aws-local/app.ts'
import { start } from '../docker/aws-local/start.ts'
import { withEnvironment } from './environment.ts'

/** AWS on a free port, where every SDK client that is opened from now on finds it, for the length of a test. */
export async function startAws (t: Test, options?: AwsLocalOptions): Promise<{ aws: AwsLocal, url: string }> {
  const { aws, url } = await start(t, options)
  pointAwsAt(t, url)
  return { aws, url }
}

/** Sets what SDK clients read of the environment; the end of the test restores it. */
export function pointAwsAt (t: Test, url: string): void {
  withEnvironment(t, { AWS_ENDPOINT_URL: url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIDLOCAL', AWS_SECRET_ACCESS_KEY: 'secret' })
}
