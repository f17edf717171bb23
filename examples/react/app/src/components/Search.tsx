import { useDeferredValue, useEffect, useState } from 'react'
import type { Send } from '../state'

export function Search({ value, dispatch }: Send & { value: string }) {
  const [text, setText] = useState(value)
  const query = useDeferredValue(text)
  useEffect(() => dispatch({ type: 'search', query }), [query, dispatch])
  return <input type="search" value={text} onChange={(e) => setText(e.target.value)} placeholder="Search" />
}
