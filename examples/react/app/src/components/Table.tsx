export const Table = ({ rows }: { rows: [string, string | number][] }) => (
  <table><tbody>{rows.map(([name, value]) => <tr key={name}><th>{name}</th><td>{value}</td></tr>)}</tbody></table>
)
