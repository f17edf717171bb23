import { Order } from '../books'
import type { Send } from '../state'
import { Choice } from './Choice'

export const Sidebar = ({ order, dispatch }: Send & { order: Order }) => (
  <nav>{Object.values(Order).map((o) => (
    <Choice key={o} label={`By ${o}`} checked={o === order} onChange={() => dispatch({ type: 'order', order: o })} />
  ))}</nav>
)
