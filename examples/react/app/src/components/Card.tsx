import type { PropsWithChildren } from 'react'

export const Card = ({ title, children }: PropsWithChildren<{ title: string }>) => <article className="card"><h2>{title}</h2>{children}</article>
