import { itemMetadataContract } from '../contracts/item-metadata.ts'
import { startDynamo } from '../support/dynalite.ts'

itemMetadataContract({ type: 'localdb' })
itemMetadataContract({ type: 'dynamodb', start: startDynamo })
