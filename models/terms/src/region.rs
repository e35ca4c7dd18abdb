//! The region tree.

use std::sync::LazyLock;

use crate::{Language, UnknownTerm};

/// A node of the region tree. Copyable; equality is by node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(u8);

struct Node {
    code: &'static str,
    parent: Option<Region>,
    jj1017_large: &'static str,
    ja: &'static str,
    en: &'static str,
}

static TREE: LazyLock<Vec<Node>> = LazyLock::new(|| read_tree(include_str!("../data/regions.csv")));

/// Reads `code,parent,jj1017_large,ja,en` lines; a parent stands above its children.
fn read_tree(csv: &'static str) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for line in csv.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut cells = line.splitn(5, ',');
        let mut next = || cells.next().unwrap_or_default();
        let (code, parent, jj1017_large, ja, en) = (next(), next(), next(), next(), next());
        let parent = nodes.iter().position(|node| node.code == parent).and_then(|at| u8::try_from(at).ok()).map(Region);
        nodes.push(Node { code, parent, jj1017_large, ja, en });
    }
    nodes
}

impl Region {
    /// Every region, parents before their children.
    pub fn all() -> impl Iterator<Item = Region> {
        (0..TREE.len()).filter_map(|at| u8::try_from(at).ok()).map(Region)
    }

    /// The root "whole body", which stands for a region nobody could tell.
    pub const WHOLE_BODY: Region = Region(0);

    fn node(self) -> &'static Node {
        &TREE[usize::from(self.0)]
    }

    /// The stable code, e.g. `head.brain`.
    pub fn code(self) -> &'static str {
        self.node().code
    }

    /// The region above, whose skill an empty cell takes; `None` at the top.
    pub fn parent(self) -> Option<Region> {
        self.node().parent
    }

    /// This region, then its parent, up to the top.
    pub fn and_ancestors(self) -> impl Iterator<Item = Region> {
        std::iter::successors(Some(self), |region| region.parent())
    }

    /// JJ1017's two-digit large region (大部位).
    pub fn jj1017_large(self) -> &'static str {
        self.node().jj1017_large
    }

    /// The word on screens.
    pub fn label(self, language: Language) -> &'static str {
        match language {
            Language::Ja => self.node().ja,
            Language::En => self.node().en,
        }
    }

    /// Finds a region by its Japanese label, as in a skill table's heading.
    pub fn from_japanese(label: &str) -> Option<Region> {
        Self::all().find(|region| region.node().ja == label)
    }
}

impl std::str::FromStr for Region {
    type Err = UnknownTerm;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|region| region.code() == value)
            .ok_or_else(|| UnknownTerm { kind: "region", value: value.to_owned() })
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl serde::Serialize for Region {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Region {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_whole() {
        for line in include_str!("../data/regions.csv").lines().skip(1) {
            let cells: Vec<_> = line.split(',').collect();
            assert_eq!(cells.len(), 5, "{line}");
            let region: Region = cells[0].parse().expect("each code names its own node");
            assert_eq!(
                region.parent().map(Region::code).unwrap_or_default(),
                cells[1],
                "a parent stands above its child"
            );
        }
        assert_eq!(Region::WHOLE_BODY.code(), "body");
    }

    #[test]
    fn the_columns_of_figure_3_are_leaves() {
        for label in ["脳", "眼窩", "副鼻腔", "側頭骨", "唾液腺"] {
            let region = Region::from_japanese(label).expect(label);
            assert_eq!(region.parent().map(Region::code), Some("head"));
        }
    }
}
