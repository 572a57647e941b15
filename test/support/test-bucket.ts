/** The name of the bucket that tests use. */
export const testBucket = 'staging'
