//! Reads TOML into Rust one table at a time, and keeps on reading after a mistake: all problems are
//! collected, each with its line. Remembers on which line what stands, for problems found later.

use crate::format;
use crate::validate::Problem;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// What is common to a whole reading.
pub(crate) struct Reader<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    places: BTreeMap<String, usize>,
}

pub(crate) type Entry<'a> = Spanned<DeValue<'a>>;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(starts.map(|(at, _)| at + 1)).collect();
        let (problems, warnings, places) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { text, line_starts, problems, warnings, places }
    }

    /// The whole document as a table. Broken TOML is a problem each, and then there is none.
    pub(crate) fn parse(&mut self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map(|span| self.line(span.start));
            let message = format!("this is not TOML: {}", error.message().trim_end());
            self.problems.push(Problem { line, path: String::new(), message });
        }
        errors.is_empty().then_some(table)
    }

    /// Line of a byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    pub(crate) fn say(&mut self, line: usize, path: &str, message: impl Into<String>) {
        let (path, message) = (path.to_owned(), message.into());
        self.problems.push(Problem { line: Some(line), path, message });
    }

    pub(crate) fn warn(&mut self, line: usize, path: &str, message: impl Into<String>) {
        let (path, message) = (path.to_owned(), message.into());
        self.warnings.push(Problem { line: Some(line), path, message });
    }

    /// Remembers where something stands; the first mention counts.
    pub(crate) fn place(&mut self, path: &str, line: usize) {
        self.places.entry(path.to_owned()).or_insert(line);
    }

    /// The line of what a path names, or of the nearest thing that contains it.
    pub(crate) fn line_of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.places.get(path) {
                return Some(*line);
            }
            let end = path.rfind(['/', '.', '[', ':'])?;
            path = path.get(..end)?;
        }
    }
}

/// One table, entry by entry; whatever was not asked for is a problem in the end.
pub(crate) struct Fields<'t, 'a> {
    table: &'t DeTable<'a>,
    asked: BTreeSet<&'static str>,
    pub(crate) path: String,
    pub(crate) line: usize,
}

impl<'t, 'a> Fields<'t, 'a> {
    pub(crate) fn new(table: &'t DeTable<'a>, path: &str, line: usize) -> Self {
        Self { table, asked: BTreeSet::new(), path: path.to_owned(), line }
    }

    /// The table that an entry is, or a problem.
    pub(crate) fn of(entry: &'t Entry<'a>, path: &str, reader: &mut Reader<'a>) -> Option<Self> {
        let line = reader.line(entry.span().start);
        match entry.get_ref().as_table() {
            Some(table) => Some(Self::new(table, path, line)),
            None => {
                reader.say(line, path, format!("this is {}: a table is allowed", what(entry)));
                None
            }
        }
    }

    /// Path of an entry of this table.
    pub(crate) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}/{key}", self.path) }
    }

    pub(crate) fn take(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'a>,
    ) -> Option<&'t Entry<'a>> {
        self.asked.insert(key);
        let (found, entry) = self.table.get_key_value(key)?;
        let line = reader.line(found.span().start);
        reader.place(&self.at(key), line);
        Some(entry)
    }

    /// An entry as `T`; `None` if it is not there, or not that (then it is a problem).
    pub(crate) fn get<T: Read>(&mut self, key: &'static str, reader: &mut Reader<'a>) -> Option<T> {
        let entry = self.take(key, reader)?;
        let value = T::read(entry.get_ref());
        if value.is_none() {
            let line = reader.line(entry.span().start);
            let message = format!("this is {}: {} is allowed", what(entry), T::ALLOWED);
            reader.say(line, &self.at(key), message);
        }
        value
    }

    /// An entry that must be there.
    pub(crate) fn need<T: Read>(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'a>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            self.asked.insert(key);
            let message = format!("`{key}` is missing: {} is needed", T::ALLOWED);
            let path = self.path.clone();
            reader.say(self.line, &path, message);
            return None;
        }
        self.get(key, reader)
    }

    /// An entry that is one of several names.
    pub(crate) fn name<T: Copy>(
        &mut self,
        key: &'static str,
        names: &[(&str, T)],
        reader: &mut Reader<'a>,
    ) -> Option<T> {
        let text: String = self.get(key, reader)?;
        let found = names.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let message = format!("\"{text}\" is not allowed: one of \"{}\"", names.join("\", \""));
            let at = self.at(key);
            let line = reader.line_of(&at).unwrap_or(self.line);
            reader.say(line, &at, message);
        }
        found.map(|(_, value)| *value)
    }

    /// The entries of an array; none if it is not there.
    pub(crate) fn list(&mut self, key: &'static str, reader: &mut Reader<'a>) -> &'t [Entry<'a>] {
        let Some(entry) = self.take(key, reader) else { return &[] };
        match entry.get_ref().as_array() {
            Some(array) => entries(array),
            None => {
                let line = reader.line(entry.span().start);
                let message = format!("this is {}: an array is allowed", what(entry));
                reader.say(line, &self.at(key), message);
                &[]
            }
        }
    }

    /// Entries that were not asked for, with their lines.
    pub(crate) fn rest(&self, reader: &Reader<'a>) -> Vec<(&'t str, usize, &'t Entry<'a>)> {
        let rest =
            self.table.iter().filter(|(key, _)| !self.asked.contains(key.get_ref().as_ref()));
        let mut rest: Vec<_> = rest
            .map(|(key, entry)| (key.get_ref().as_ref(), reader.line(key.span().start), entry))
            .collect();
        rest.sort_by_key(|(_, line, _)| *line);
        rest
    }

    /// Says that what was not asked for is not allowed.
    pub(crate) fn finish(self, reader: &mut Reader<'a>) {
        let mut asked: Vec<&str> = self.asked.iter().copied().collect();
        asked.sort_unstable();
        for (key, line, _) in self.rest(reader) {
            let message =
                format!("`{}` is not known here: {}", key.escape_debug(), asked.join(", "));
            reader.say(line, &self.path, message);
        }
    }
}

pub(crate) fn entries<'t, 'a>(array: &'t DeArray<'a>) -> &'t [Entry<'a>] {
    array
}

/// What a TOML value is, in words.
pub(crate) fn what(entry: &Entry<'_>) -> &'static str {
    match entry.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// What one TOML value is read as.
pub(crate) trait Read: Sized {
    const ALLOWED: &'static str;
    fn read(value: &DeValue<'_>) -> Option<Self>;
}

impl Read for String {
    const ALLOWED: &'static str = "text in quotes";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Read for bool {
    const ALLOWED: &'static str = "true or false";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for f64 {
    const ALLOWED: &'static str = "a number";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(int) if int.radix() == 10 => int.as_str().parse().ok(),
            DeValue::Integer(_) => u64::read(value).map(|number| number as Self),
            _ => None,
        }
    }
}

impl Read for u64 {
    const ALLOWED: &'static str = "a whole number from 0";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let int = value.as_integer()?;
        Self::from_str_radix(int.as_str(), int.radix()).ok()
    }
}

impl Read for u32 {
    const ALLOWED: &'static str = "a whole number from 0";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        u64::read(value)?.try_into().ok()
    }
}

impl Read for u16 {
    const ALLOWED: &'static str = "a whole number from 0 to 65535";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        u64::read(value)?.try_into().ok()
    }
}

impl Read for crate::model::Value {
    const ALLOWED: &'static str = "a number, or automation [[frame, value], ...]";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        if let Some(number) = f64::read(value) {
            return Some(Self::Constant(number));
        }
        let point = |entry: &Entry<'_>| match entries(entry.get_ref().as_array()?) {
            [frame, value] => {
                let (frame, value) = (u64::read(frame.get_ref())?, f64::read(value.get_ref())?);
                Some(crate::model::Point { frame, value })
            }
            _ => None,
        };
        let points: Option<Vec<_>> = entries(value.as_array()?).iter().map(point).collect();
        points.map(Self::Automation)
    }
}

/// A TOML value as text on one line, always the same for the same value.
pub(crate) fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format::text(text),
        DeValue::Integer(int) if int.radix() == 10 => int.as_str().to_owned(),
        DeValue::Integer(int) => {
            i128::from_str_radix(int.as_str(), int.radix()).unwrap_or_default().to_string()
        }
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(array) => {
            let items: Vec<String> =
                entries(array).iter().map(|entry| text_of(entry.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(key, entry): (&Spanned<std::borrow::Cow<'_, str>>, &Entry<'_>)| {
                format!("{} = {}", format::key(key.get_ref()), text_of(entry.get_ref()))
            };
            format::inline(&table.iter().map(pair).collect::<Vec<_>>())
        }
    }
}
