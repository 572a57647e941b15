/** What namespaces, recommenders and variations are called: in URLs, in the configuration and as names of folders. */
export const namePattern = '^[a-zA-Z0-9_-]{1,128}$'
