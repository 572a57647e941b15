type NumberArray = Float32Array | Float64Array | Int32Array | Uint16Array | Uint32Array

/** Returns the array itself, or a copy of at least twice its length if `length` numbers do not fit. */
export function fit<T extends NumberArray> (column: T, length: number): T {
  if (length <= column.length) return column
  const Column = column.constructor as new (length: number) => T
  const grown = new Column(Math.max(length, column.length * 2))
  grown.set(column)
  return grown
}
