import t from 'tap'
import { chooseCatalog, type StagedObject } from '../../src/metadata/staging/choose.ts'

const prefix = 'import/shop/'
const id = '0a1b2c3d-1111-2222-3333-444455556666'
const other = 'ffffffff-1111-2222-3333-444455556666'

/** Returns objects, each uploaded a second after the one before. */
function listing (...names: string[]): StagedObject[] {
  return names.map((name, i) => ({ key: prefix + name, tag: `tag-${name}`, size: /\/$|SUCCESS|folder/.test(name) ? 0 : 10, madeAt: (i + 1) * 1000 }))
}

/** Returns the names of the objects that the newest catalog consists of. */
function chosen (...names: string[]): string[] {
  const { newest } = chooseCatalog(listing(...names), prefix)
  return (newest?.parts ?? (newest === undefined ? [] : [newest])).map(({ key }) => key.slice(prefix.length))
}

const numbers = [0, 1, 2, 3, 4, 5, 6, 7]
const five = (n: number): string => String(n).padStart(5, '0')

t.test('the parts of one run are one catalog, whichever program wrote them', t => {
  const programs: Record<string, (n: number) => string> = {
    'as Spark writes them': n => `part-${five(n)}-${id}-c000.json.gz`,
    'with a dot': n => `part-${five(n)}-${id}.c000.json.gz`,
    'without an extension': n => `part-${five(n)}`,
    Hadoop: n => `part-r-${five(n)}.gz`,
    'with any other suffix': n => `part-${five(n)}-x.json.gz`,
    Flink: n => `part-${id}-${n}`,
    Glue: n => `run-1700000000000-part-r-${five(n)}`,
    'Glue, with its node': n => `run-S3bucket_node3-5-part-block-0-0-r-${five(n)}-snappy.json`,
    Redshift: n => `000${n}_part_00.gz`,
    'Redshift, with a prefix': n => `items_000${n}_part_00`,
    'Redshift, with a dot': n => `items.000${n}_part_00.gz`,
    'Redshift, serially': n => `items00${n}.csv`,
    Athena: n => `20261128_021402_00012_abcde_${id.slice(0, -1)}${n}.gz`,
    BigQuery: n => `items-00000000000${n}.json.gz`,
    Snowflake: n => `data_0_${n}_0.csv.gz`,
    Hive: n => `00000${n}_0.gz`,
    Beam: n => `items-${five(n)}-of-00008.jsonl`,
    split: n => `items.jsonl.0${n}`,
    'counted from one': n => `items-part-${n + 1}.csv`,
    'in capitals': n => `PART-${five(n)}.JSON.GZ`
  }
  for (const [program, name] of Object.entries(programs)) {
    const parts = numbers.map(name)
    t.strictSame(chosen('items.jsonl', ...parts), parts, program)
    t.strictSame(chosen(...parts, 'items.jsonl'), ['items.jsonl'], `${program}: a newer catalog counts`)
  }
  t.end()
})

t.test('of two runs the newer one counts, also in one folder', t => {
  const run = (id: string): string[] => numbers.map(n => `part-${five(n)}-${id}.json`)
  t.strictSame(chosen(...run(id), ...run(other)), run(other))
  t.strictSame(chosen(...run(id).map(name => `export/${name}`), ...run(other).map(name => `export/${name}`)), run(other).map(name => `export/${name}`))
  t.end()
})

t.test('the objects of one folder are one catalog, and folders are several', t => {
  t.strictSame(chosen('monday/a.jsonl', 'monday/b.jsonl', 'tuesday/b.jsonl', 'tuesday/a.jsonl'), ['tuesday/b.jsonl', 'tuesday/a.jsonl'])
  t.strictSame(chosen('export/books.csv', 'export/toys.csv', 'export/3.csv'), ['export/books.csv', 'export/toys.csv', 'export/3.csv'])
  t.strictSame(chosen('a/b/c/ITEMS.JSONL.GZ'), ['a/b/c/ITEMS.JSONL.GZ'])
  t.strictSame(chosen('1.jsonl', '2.jsonl', 'items-2026-11-27.jsonl', 'items-2026-11-28.jsonl'), ['items-2026-11-28.jsonl'], 'right below the prefix each is one')
  t.end()
})

t.test('partitions of one run are one catalog, those by time are several', t => {
  const spread = [`export/category=books/part-00000-${id}.json`, `export/category=toys/part-00001-${id}.json`]
  t.strictSame(chosen(...spread), spread)
  const redshift = ['category=books/0000_part_00', 'category=toys/0000_part_00', 'category=toys/0001_part_00']
  t.strictSame(chosen(...redshift), redshift)
  t.strictSame(chosen('dt=2026-11-27/000000_0', 'dt=2026-11-28/000000_0'), ['dt=2026-11-28/000000_0'])
  t.end()
})

t.test('markers, manifests and folder objects are passed over with a reason, and hide nothing that is below them', t => {
  const noise = [
    '_SUCCESS', '.part-00000.json.crc', 'export/', 'export_$folder$', 'export/_SUCCESS', 'export/manifest', 'items_manifest', 'manifest.json', 'items.csv.metadata',
    '_temporary/0/part-00000.json', 'old/items.jsonl', 'Archive/items.csv', 'notes.md', 'items.parquet', 'README', 'export/.hidden/items.json'
  ]
  const { newest, passedOver } = chooseCatalog(listing('export/items.jsonl', ...noise), prefix)
  t.equal(newest?.key, `${prefix}export/items.jsonl`)
  t.strictSame(passedOver.map(({ key }) => key.slice(prefix.length)), noise)
  t.ok(passedOver.every(({ reason }) => reason.length > 4))
  t.match(chooseCatalog(listing('a.jsonl', 'b.jsonl'), prefix).passedOver, [{ key: `${prefix}a.jsonl`, reason: /older than import\/shop\/b\.jsonl/ }])
  t.end()
})

t.test('a catalog in parts is open until a marker tells that it is whole', t => {
  const open = (...names: string[]): boolean => chooseCatalog(listing(...names), prefix).newest?.open === true
  t.ok(open('part-00000.json', 'part-00001.json'))
  t.ok(open('part-00000.json'), 'also a single part')
  t.ok(open('_SUCCESS', 'part-00000.json'), 'the marker of an earlier run tells nothing')
  t.ok(open('export/items.json'), 'and a folder')
  t.notOk(open('part-00000.json', '_SUCCESS'))
  t.notOk(open('items_0000_part_00', 'items_manifest'))
  t.notOk(open('export/part-00000.json', 'export/_SUCCESS'))
  t.notOk(open('items.jsonl'))
  t.end()
})

t.test('the tag changes with each part', t => {
  const tag = (...names: string[]): string => chooseCatalog(listing(...names), prefix).newest!.tag
  const tags = [tag('part-0.json'), tag('part-0.json', 'part-1.json'), tag('part-0.json', 'part-1.json', 'part-2.json'), tag('part-0.json', 'part-2.json')]
  t.equal(new Set(tags).size, tags.length)
  t.equal(tag('part-0.json', 'part-1.json'), tag('part-0.json', 'part-1.json', '_SUCCESS'))
  t.end()
})
