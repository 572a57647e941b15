import { experimentMethodContract } from '../contracts/experiment-method.ts'

const metrics = { clicks: { entityIdKey: 'userDetails.userId', valueKey: 'details.clicks' } }

for (const config of [
  { method: 'weighted', weights: { a: 1, b: 3 }, exposure: 0.5 },
  { method: 'interleave', variations: ['a', 'b'] },
  { method: 'evidently', project: 'store', metrics }
]) {
  experimentMethodContract({ name: `${config.method}, evaluated here`, misbehaviours: [], start: async () => ({ config }) })
}
