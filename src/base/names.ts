/** The names of namespaces, recommenders and variations: in URLs, in the configuration and as names of folders. Spaces stand inside, and "." and ".." are steps in a path. */
export const namePattern = '^(?!\\.{1,2}$)[a-zA-Z0-9_.~-](?:[a-zA-Z0-9_.~ -]{0,126}[a-zA-Z0-9_.~-])?$'
