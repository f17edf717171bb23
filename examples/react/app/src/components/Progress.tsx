export const Progress = ({ value, max }: { value: number; max: number }) => <progress value={value} max={max}>{Math.round((100 * value) / (max || 1))} %</progress>
