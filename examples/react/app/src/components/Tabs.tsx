import type { ReactNode } from 'react'
import { Button } from './Button'

interface Props<T extends string> { names: T[]; current: T; onChange(name: T): void; children: Record<T, () => ReactNode> }

export const Tabs = <T extends string,>({ names, current, onChange, children }: Props<T>) => (
  <><div role="tablist">{names.map((n) => <Button key={n} aria-selected={n === current} onClick={() => onChange(n)}>{n}</Button>)}</div>{children[current as T]()}</>
)
