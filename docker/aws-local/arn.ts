import Type, { type TString } from 'typebox'

/** The ARN of a Personalize resource of one kind ("campaign"), whichever it is. */
export function personalizeArn (kind: string): TString {
  return Type.String({ maxLength: 256, pattern: `^arn:[a-z0-9-]+:personalize:[^:]*:[^:]*:${kind}/.+$` })
}
