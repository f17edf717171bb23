import type { ReactNode } from 'react'

export const Layout = ({ header, sidebar, footer, children }: Record<'header' | 'sidebar' | 'footer' | 'children', ReactNode>) => (
  <>{header}<main>{sidebar}<section>{children}</section></main>{footer}</>
)
