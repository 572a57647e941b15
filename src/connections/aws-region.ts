/**
 * Returns the region that AWS clients use where the configuration names none, as the SDK finds it: in the environment, or in the profile
 * of the AWS configuration file. Returns undefined if there is none.
 */
export async function environmentRegion (): Promise<string | undefined> {
  const { LambdaClient } = await import('@aws-sdk/client-lambda')
  const client = new LambdaClient()
  try {
    return await client.config.region()
  } catch {
    return undefined
  } finally {
    client.destroy()
  }
}
