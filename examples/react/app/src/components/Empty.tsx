export const Empty = ({ query }: { query: string }) => <p>{query === '' ? 'No books yet.' : <>Nothing like <q>{query}</q>.</>}</p>
