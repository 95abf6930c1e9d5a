//! The one list by which stories are told on every forge.

/// Every story is told on both forges.
macro_rules! stories {
    ($($story:ident),* $(,)?) => {
        mod on_gitlab {
            $(#[tokio::test]
            async fn $story() {
                super::$story(crate::world::World::new().await).await;
            })*
        }

        mod on_github {
            $(#[tokio::test]
            async fn $story() {
                super::$story(crate::world::World::on_github().await).await;
            })*
        }
    };
}
