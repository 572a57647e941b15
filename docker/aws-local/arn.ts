import Type, { type TString } from 'typebox'

/** Returns the schema of ARNs of one kind of Personalize resource, such as "campaign". */
export function personalizeArn (kind: string): TString {
  return Type.String({ maxLength: 256, pattern: `^arn:[a-z0-9-]+:personalize:[^:]*:[^:]*:${kind}/.+$` })
}
