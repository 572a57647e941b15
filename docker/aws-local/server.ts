import closeWithGrace from 'close-with-grace'
import Type from 'typebox'
import Value from 'typebox/value'
import { createAwsLocal } from './app.ts'

/** Settings, by environment variable. */
const SettingsSchema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 4566 }),
  HOST: Type.String({ default: '0.0.0.0' }),
  AWS_LOCAL_EVENTS: Type.Optional(Type.String({ description: 'a file of events; the sample store\'s where absent' })),
  AWS_LOCAL_ITEMS: Type.Optional(Type.String({ description: 'a file of items; the sample store\'s where absent' }))
})

const given = Object.entries(process.env).filter(([name, text]) => Object.hasOwn(SettingsSchema.properties, name) && text !== '')
const settings = Value.Parse(SettingsSchema, Value.Convert(SettingsSchema, Value.Default(SettingsSchema, Object.fromEntries(given))))

const aws = await createAwsLocal({ events: settings.AWS_LOCAL_EVENTS, items: settings.AWS_LOCAL_ITEMS, logger: true })
closeWithGrace({ delay: 1000 }, aws.close)
await aws.listen(settings.PORT, settings.HOST)
