//! The pull that a server repeats: from time to time, and at once where a file is not the image that it was.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::metrics::Metrics;
use super::shelf::Shelf;
use crate::cli::args::images::ServeImagesArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::pull::{line, pulled};
use crate::cli::{Context, deadline};

/// How soon a pull is repeated that a retry may help; it doubles each time, up to the usual time.
const RETRY: Duration = Duration::from_secs(30);

/// A pull that is repeated.
pub(super) struct Puller {
    context: Context,
    folder: PathBuf,
    /// Its arguments; empty for those of the last pull into the folder.
    arguments: Vec<OsString>,
    every: Duration,
    shelf: Arc<Shelf>,
    metrics: Arc<Metrics>,
    wake: Notify,
}

impl Puller {
    /// The pull that the flags ask for; none where they ask for none.
    ///
    /// # Errors
    /// Its arguments are not known, or wrong.
    pub(super) fn new(
        context: &Context,
        args: &ServeImagesArgs,
        shelf: &Arc<Shelf>,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>, Failure> {
        let Some(every) = args.pull_every else { return Ok(None) };
        let puller = Self {
            context: context.clone(),
            folder: args.folder.clone(),
            arguments: args.pull_arguments.clone(),
            every,
            shelf: Arc::clone(shelf),
            metrics: Arc::clone(metrics),
            wake: Notify::new(),
        };
        line::parse(&puller.line()?).map_err(|error| {
            Failure::usage(format!("the arguments of the pull that is to be repeated: {error}"))
        })?;
        Ok(Some(Arc::new(puller)))
    }

    /// A file is not the image that it was.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Pulls for ever.
    pub(super) async fn repeat(self: Arc<Self>) {
        let mut retries = 0;
        loop {
            let pulling = Arc::clone(&self);
            let exit = tokio::task::spawn_blocking(move || pulling.pull()).await.unwrap_or(Exit::Bug);
            retries = if exit == Exit::Retry { retries + 1 } else { 0 };
            let wait = match retries {
                0 => self.every,
                retries => self.every.min(RETRY.saturating_mul(1 << (retries - 1).min(16))),
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// One pull; what it stored and removed is told. It blocks.
    fn pull(&self) -> Exit {
        let begun = Instant::now();
        let ended = self.shelf.discard_wrong().map_err(Failure::person).and_then(|()| {
            let line = self.line()?;
            let (mut args, global) = line::parse(&line).map_err(Failure::usage)?;
            args.into.clone_from(&self.folder);
            let mut context = self.context.clone();
            context.environment = context.environment.at(context.environment.clock());
            context.deadline = deadline(global.max_time);
            context.global.config = global.config.or(context.global.config);
            context.global.max_time = global.max_time;
            context.arguments = line.into();
            pulled(&context, &args)
        });
        let exit = match &ended {
            Ok(end) => {
                for line in end.report.news().lines().chain(end.tidied.news().lines()) {
                    self.context.note(line);
                }
                end.complain(&self.context);
                end.exit()
            }
            // The server stops, too.
            Err(Failure { exit: exit @ (Exit::Interrupted | Exit::Terminated), .. }) => return *exit,
            Err(failure) => {
                self.context.output.complain(&failure.render());
                failure.exit
            }
        };
        let bytes = ended.map_or(0, |end| end.bytes);
        self.metrics.pulled(exit, bytes, begun.elapsed(), self.context.environment.clock());
        exit
    }

    /// The arguments, beginning with the command or with flags before it.
    fn line(&self) -> Result<Vec<OsString>, Failure> {
        if !self.arguments.is_empty() {
            let pull = ["pull".into(), "--into".into(), self.folder.clone().into_os_string()];
            return Ok([&pull[..], &self.arguments].concat());
        }
        let wanted = self.shelf.wanted().map_err(Failure::person)?;
        let arguments = wanted.and_then(|wanted| wanted.arguments).ok_or_else(|| {
            Failure::usage("the folder does not say how its images were pulled").hint(
                "give the arguments of the pull, as in `dibump serve-images FOLDER --pull-every 15m -- -f values.yaml`",
            )
        })?;
        Ok(arguments.into_iter().map(OsString::from).collect())
    }
}
