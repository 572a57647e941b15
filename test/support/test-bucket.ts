/** The name of the bucket that tests use. */
export const testBucket = 'staging'

/** Its place. s3rver has no host names for buckets, so the bucket is in the path. */
export const testBucketPlace = { name: testBucket, pathStyle: true }
