import type { Book } from '../books'

const all = [1, 2, 3, 4, 5] as const satisfies readonly Book['rating'][]

export const Stars = ({ value, onRate }: { value: number; onRate?(rating: Book['rating']): void }) => (
  <span role="img" aria-label={`${value} of 5`}>{all.map((n) => <i key={n} onClick={() => onRate?.(n)}>{n <= value ? '★' : '☆'}</i>)}</span>
)
