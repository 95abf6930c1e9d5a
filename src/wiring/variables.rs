//! Every variable of the environment that is read, for people: `docs/environment.md` is printed from it.

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// Variables that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableGroup {
    /// What they have in common.
    pub title: &'static str,
    /// Its variables.
    pub variables: &'static [Variable],
}

const fn is(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// All of them. Variables that the configuration names itself (`token_env`, `username_env`, …) come on top.
pub const VARIABLES: [VariableGroup; 7] = [
    VariableGroup {
        title: "In place of a flag",
        variables: &[
            is("DIBUMP_CONFIG", "The configuration file, as `--config`"),
            is("DIBUMP_REGISTRY", "The registry prefix, as `--registry`"),
            is("DIBUMP_CACHE_DIR", "The folder of the cache, as `--cache-dir`"),
        ],
    },
    VariableGroup {
        title: "How a command runs",
        variables: &[
            is(
                "DIBUMP_PAUSED",
                "Anything but `0`, `false` or `no`: `run` writes nothing and reports what it would do",
            ),
            is(
                "DIBUMP_SERVE_TOKEN",
                "The token that a request to `serve` needs to start a run; without it runs cannot be started",
            ),
            is("DIBUMP_SHARDS", "How many shards share the targets, with `JOB_COMPLETION_INDEX`"),
            is("JOB_COMPLETION_INDEX", "The number of this shard from 0, set by an indexed Kubernetes Job"),
            is("CI_NODE_INDEX", "The number of this shard from 1, set by GitLab where a job has `parallel:`"),
            is("CI_NODE_TOTAL", "How many shards there are, set by GitLab"),
            is("DIBUMP_NOW", "The time at which the program begins (RFC 3339); for tests only"),
        ],
    },
    VariableGroup {
        title: "GitLab",
        variables: &[
            is("GITLAB_TOKEN", "The token for the forge; `forge.token_env` names another variable"),
            is(
                "CI_JOB_TOKEN",
                "The job's token, for reading the pipeline's own GitLab if no other token is set",
            ),
            is("CI_SERVER_URL", "The address of the pipeline's own GitLab"),
            is("CI_API_V4_URL", "The address of its API"),
            is("CI_PROJECT_ID", "The pipeline's own project, which `CI_JOB_TOKEN` may read"),
            is("CI_PROJECT_PATH", "The same by its path"),
            is(
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
                "The target branch whose policy `plan` and `check` use",
            ),
        ],
    },
    VariableGroup {
        title: "GitHub",
        variables: &[
            is("GITHUB_TOKEN", "The token for the forge; `forge.token_env` names another variable"),
            is("GITHUB_APP_ID", "The id of a GitHub App, with `forge.app`"),
            is("GITHUB_APP_PRIVATE_KEY", "Its private key as PEM text, or the path of a file with it"),
            is("GITHUB_API_URL", "The address of the API of the workflow's own GitHub"),
            is("GITHUB_GRAPHQL_URL", "The address of its GraphQL API"),
            is("GITHUB_SERVER_URL", "Its address, where `GITHUB_API_URL` is not set"),
            is("GITHUB_REPOSITORY", "The workflow's own repository"),
            is("GITHUB_STEP_SUMMARY", "A file to which reports are appended; other files are replaced"),
            is("GITHUB_OUTPUT", "The same for outputs of a step"),
        ],
    },
    VariableGroup {
        title: "Registries",
        variables: &[
            is("DIBUMP_REGISTRY_USERNAME", "The user name for `--registry`, or for the only producer"),
            is("DIBUMP_REGISTRY_PASSWORD", "Its password or token"),
            is("CI_REGISTRY", "The host of GitLab's own registry, for the next two variables"),
            is("CI_REGISTRY_USER", "The user name for it"),
            is("CI_REGISTRY_PASSWORD", "Its password"),
            is("REGISTRY_AUTH_FILE", "A file of credentials in docker's form, which is read first"),
            is("DOCKER_CONFIG", "The folder of docker's `config.json`"),
            is("XDG_RUNTIME_DIR", "Where podman keeps `containers/auth.json`"),
        ],
    },
    VariableGroup {
        title: "Network and cluster",
        variables: &[
            is("HTTPS_PROXY", "The proxy for https, also in small letters"),
            is("HTTP_PROXY", "The proxy for http; in small letters only if `REQUEST_METHOD` is set"),
            is("ALL_PROXY", "The proxy for both"),
            is("NO_PROXY", "Hosts that are asked without a proxy"),
            is("KUBECONFIG", "Files that say how to reach a cluster"),
        ],
    },
    VariableGroup {
        title: "This machine",
        variables: &[
            is("HOME", "Where `.docker/config.json`, `.kube/config` and `.cache` are"),
            is("XDG_CACHE_HOME", "Where the cache is in place of `~/.cache`"),
            is("CI", "Any value: the cache is used only if it is named"),
            is("COLUMNS", "How wide lines may be, unless stdout is a terminal"),
            is("NO_COLOR", "Any value: no colours"),
        ],
    },
];
