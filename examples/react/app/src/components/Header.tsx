import { memo } from 'react'
import { Badge } from './Badge'
import { Avatar } from './Avatar'

export const Header = memo(({ title, count }: { title: string; count: number }) => (
  <header><h1>{title} <Badge>{count}</Badge></h1><Avatar name="Ada Lovelace" /></header>
))
