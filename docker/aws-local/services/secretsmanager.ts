import Type from 'typebox'
import { jsonRpc, rpcFaults } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import { operation, type Service } from '../service.ts'

const Input = Type.Object({
  SecretId: Type.String({ minLength: 1, maxLength: 2048 }),
  VersionId: Type.Optional(Type.String({ minLength: 32, maxLength: 64 })),
  VersionStage: Type.Optional(Type.String({ minLength: 1, maxLength: 256 }))
})

const arnPrefix = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:'
/** An ARN ends with six characters that do not belong to the name. */
const arnPattern = /^arn:[a-z0-9-]+:secretsmanager:[^:]+:\d{12}:secret:(.+?)(?:-[A-Za-z0-9]{6})?$/

/** Opens AWS Secrets Manager, with the secrets that were put, each in its current version only. */
export function secretsmanager ({ secrets }: Scope): Service {
  return {
    name: 'secretsmanager',
    protocol: jsonRpc('secretsmanager'),
    faults: { ...rpcFaults, 400: { code: 'InvalidParameterException', status: 400 }, 500: { code: 'InternalServiceError', status: 500 } },
    target: 'secretsmanager',
    operations: {
      GetSecretValue: operation(Input, ({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }) => {
        const Name = arnPattern.exec(SecretId)?.[1] ?? SecretId
        const secret = secrets.get(Name)
        const isThere = secret !== undefined && VersionStage === 'AWSCURRENT' && (VersionId ?? secret.versionId) === secret.versionId
        if (!isThere) throw new Refusal('404', 'Secrets Manager can\'t find the specified secret value.')
        return {
          ARN: `${arnPrefix}${Name}-AbCdEf`,
          Name,
          VersionId: secret.versionId,
          SecretString: secret.text,
          VersionStages: ['AWSCURRENT'],
          CreatedDate: secret.createdAt / 1000
        }
      })
    }
  }
}
