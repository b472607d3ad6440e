//! Trees as text, one line for each branch.

/// A line and what hangs beneath it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) text: String,
    pub(crate) branches: Vec<Tree>,
}

impl Tree {
    /// Returns the drawing, without a line end.
    pub(crate) fn draw(&self) -> String {
        let mut lines = vec![self.text.clone()];
        self.draw_branches("", &mut lines);
        lines.join("\n")
    }

    fn draw_branches(&self, indent: &str, lines: &mut Vec<String>) {
        let last = self.branches.len().saturating_sub(1);
        for (index, branch) in self.branches.iter().enumerate() {
            let (fork, below) =
                if index == last { ("└── ", "    ") } else { ("├── ", "│   ") };
            lines.push(format!("{indent}{fork}{}", branch.text));
            branch.draw_branches(&format!("{indent}{below}"), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_show_what_hangs_beneath_what() {
        let leaf = |text: &str| Tree { text: text.to_owned(), branches: Vec::new() };
        let inner = Tree { text: "a".to_owned(), branches: vec![leaf("b")] };
        let tree = Tree { text: "root".to_owned(), branches: vec![inner, leaf("c")] };
        assert_eq!(tree.draw(), "root\n├── a\n│   └── b\n└── c");
    }
}
