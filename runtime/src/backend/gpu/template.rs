//! WGSL with conditions, loops and parts that are shared.
//!
//! A line that begins with `#` is an instruction, `$name` stands for a value:
//!
//! ```text
//! #include shared/words.wgsl    the lines of that file
//! #if NAME .. #else .. #end     whether the value is there and not 0
//! #for r in 0..$ROWS .. #end    once for each number, or for each word
//! ```
//!
//! Values are put in from right to left, so that `$FORMAT$s` is the value of `FORMAT0` where `s` is 0.

use std::collections::BTreeMap;

/// Values by name.
pub(super) type Values = BTreeMap<String, String>;

/// The WGSL that `file` is with `values`.
///
/// # Errors
/// What is wrong, for the programmer: all templates are part of this crate, and a test expands each.
pub(super) fn expand(file: &str, values: &Values) -> Result<String, String> {
    let mut out = String::new();
    expand_lines(&lines(file)?, values, &mut out).map_err(|e| format!("{file}: {e}"))?;
    Ok(out)
}

fn lines(file: &str) -> Result<Vec<&'static str>, String> {
    let source = super::kernel::SOURCES.iter().find(|(name, _)| *name == file);
    source.map(|(_, text)| text.lines().collect()).ok_or_else(|| format!("{file} is not there"))
}

fn expand_lines(lines: &[&str], values: &Values, out: &mut String) -> Result<(), String> {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some(instruction) = line.trim_start().strip_prefix('#') else {
            out.push_str(&substitute(line, values)?);
            out.push('\n');
            at += 1;
            continue;
        };
        let instruction = substitute(instruction, values)?;
        let (name, rest) = instruction.split_once(' ').ok_or(format!("{instruction}: nothing follows"))?;
        if name == "include" {
            expand_lines(&self::lines(rest)?, values, out)?;
            at += 1;
            continue;
        }
        let (body, otherwise, next) = block(lines, at + 1)?;
        match name {
            "if" => expand_lines(if holds(rest, values) { body } else { otherwise }, values, out)?,
            "for" => repeat(rest, body, values, out)?,
            _ => return Err(format!("{name} is no instruction")),
        }
        at = next;
    }
    Ok(())
}

fn holds(name: &str, values: &Values) -> bool {
    values.get(name).is_some_and(|value| value != "0")
}

fn repeat(header: &str, body: &[&str], values: &Values, out: &mut String) -> Result<(), String> {
    let (name, list) = header.split_once(" in ").ok_or(format!("for {header}: no list"))?;
    let words: Vec<String> = match list.split_once("..") {
        Some((from, to)) => {
            let number = |text: &str| text.parse::<u32>().map_err(|e| format!("for {header}: {e}"));
            (number(from)?..number(to)?).map(|i| i.to_string()).collect()
        }
        None => list.split(' ').map(str::to_owned).collect(),
    };
    let mut values = values.clone();
    for word in words {
        values.insert(name.to_owned(), word);
        expand_lines(body, &values, out)?;
    }
    Ok(())
}

/// What is between `start` and the `#end` that belongs to it, up to the `#else` and after it, and the line behind.
fn block<'a>(lines: &'a [&'a str], start: usize) -> Result<(&'a [&'a str], &'a [&'a str], usize), String> {
    let (mut depth, mut otherwise) = (0, None);
    for (at, line) in lines.iter().enumerate().skip(start) {
        let line = line.trim();
        if line.starts_with("#if ") || line.starts_with("#for ") {
            depth += 1;
        } else if line == "#else" && depth == 0 {
            otherwise = Some(at);
        } else if line == "#end" && depth == 0 {
            let end = otherwise.unwrap_or(at);
            return Ok((&lines[start..end], &lines[(end + 1).min(at)..at], at + 1));
        } else if line == "#end" {
            depth -= 1;
        }
    }
    Err("an #end is missing".to_owned())
}

fn substitute(line: &str, values: &Values) -> Result<String, String> {
    let mut line = line.to_owned();
    while let Some(at) = line.rfind('$') {
        let name = &line[at + 1..];
        let longest = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let found = (1..=longest).rev().find_map(|len| values.get(&name[..len]).map(|value| (len, value)));
        let (len, value) = found.ok_or(format!("{line}: no value"))?;
        line.replace_range(at..at + 1 + len, value);
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut out = String::new();
        expand_lines(&text.lines().collect::<Vec<_>>(), &values, &mut out).map(|()| out)
    }

    #[test]
    fn loops_go_over_numbers_and_words() {
        let text = "#for s in $ALL\n#for i in 0..$N\nx$s$i = $F$s;\n#end\n#end";
        let values = [("ALL", "a b"), ("N", "2"), ("Fa", "1"), ("Fb", "2")];
        assert_eq!(expanded(text, &values).unwrap(), "xa0 = 1;\nxa1 = 1;\nxb0 = 2;\nxb1 = 2;\n");
    }

    #[test]
    fn conditions_nest() {
        let text = "#if A\n#if B\nab\n#else\na\n#end\n#else\nnone\n#end";
        assert_eq!(expanded(text, &[("A", "1"), ("B", "3")]).unwrap(), "ab\n");
        assert_eq!(expanded(text, &[("A", "1"), ("B", "0")]).unwrap(), "a\n");
        assert_eq!(expanded(text, &[]).unwrap(), "none\n");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for text in ["#if A\nx", "$A", "#include nowhere", "#for i in 0..x\n#end", "#what is\n#end", "#if"] {
            assert!(expanded(text, &[]).is_err(), "{text}");
        }
    }
}
