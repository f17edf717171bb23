export const Footer = () => <footer>Built and served in a sandbox.</footer>
