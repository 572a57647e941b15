import { validateDocument } from '../../src/config/validate.ts'
import { compileAutoValues, type AutoValue } from '../../src/context/auto-values.ts'
import { compileContext, type ContextRules } from '../../src/context/resolve.ts'
import { testSurroundings } from './surroundings.ts'

/** Validates and compiles rules as a gateway does when it loads a document. */
export function loadRules (autoContext?: object, filters?: object[]): ContextRules {
  const { document, findings } = validateDocument({ namespaces: {}, ...(autoContext && { autoContext }), ...(filters && { filters }) })
  if (findings.length > 0) throw new Error(JSON.stringify(findings))
  return compileContext(document.autoContext, document.filters)
}

/** Returns the values that a document's automatic context derives, by field. */
export function derive (autoContext: object, ...request: Parameters<typeof testSurroundings>): Record<string, AutoValue> {
  const { document, findings } = validateDocument({ namespaces: {}, autoContext })
  if (findings.length > 0) throw new Error(JSON.stringify(findings))
  return Object.fromEntries(compileAutoValues(document.autoContext)!.derive(testSurroundings(...request)))
}

/** Returns the values of one field with the given rules. */
export function valuesOf (field: { type?: string, default?: unknown, evaluateAll?: boolean, rules: object[] }, ...request: Parameters<typeof testSurroundings>): readonly string[] | undefined {
  return derive({ field: { type: 'string', ...field } }, ...request)['field']?.values
}
