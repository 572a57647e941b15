/** The name of the bucket that tests use. */
export const testBucket = 'staging'

/** Where it is: s3rver has no host name for each bucket. */
export const testBucketPlace = { name: testBucket, pathStyle: true }
