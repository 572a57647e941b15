import type { Test } from 'tap'
import type { AwsLocal, AwsLocalOptions } from '../../docker/aws-local/app.ts'
import { start } from '../docker/aws-local/start.ts'
import { withEnvironment } from './environment.ts'

/** Starts the local AWS server on a free port. SDK clients that are opened later use it, until the test ends. */
export async function startAws (t: Test, options?: AwsLocalOptions): Promise<{ aws: AwsLocal, url: string }> {
  const { aws, url } = await start(t, options)
  pointAwsAt(t, url)
  return { aws, url }
}

/** Sets the environment variables that SDK clients read. The end of the test restores them. */
export function pointAwsAt (t: Test, url: string): void {
  withEnvironment(t, { AWS_ENDPOINT_URL: url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIDLOCAL', AWS_SECRET_ACCESS_KEY: 'secret' })
}
