import t from 'tap'
import { DeliveryError, missingTarget } from '../../src/events/target.ts'

t.test('a target that this build does not have refuses events and names itself', async t => {
  await t.rejects(missingTarget('carrier-pigeon').deliver([]), new DeliveryError('"carrier-pigeon" is not available in this build'))
})
