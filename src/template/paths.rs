//! Which values a template names, without rendering it.

/// The paths of `.Values` that a text names, keys from the top down, in their order.
pub fn paths(text: &str) -> Vec<Vec<String>> {
    let path = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        let keys = rest[..end].split('.').map(ToOwned::to_owned).collect::<Vec<_>>();
        (!keys.iter().any(String::is_empty)).then_some(keys)
    };
    text.split(".Values.").skip(1).filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn every_path_is_named_whatever_stands_around_it() {
        let named = |text| paths(text).into_iter().map(|path| path.join("/")).collect::<Vec<_>>();
        assert_eq!(named("{{ .Values.a.b_1 | default $.Values.c }}-{{- .Values.d -}}"), ["a/b_1", "c", "d"]);
        assert_eq!(named("{{ .Values }} {{ .Values. }} .Chart.Name"), Vec::<String>::new());
    }
}
