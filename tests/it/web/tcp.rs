//! Over a real socket: a person signs in and sees the list. With `SMOKEJUMPER_PREVIEW=127.0.0.1:8080` it stays up on that
//! address, for looking at it: `SMOKEJUMPER_PREVIEW=127.0.0.1:8080 cargo test --test it web::tcp -- --nocapture`.

use super::scene;
use smokejumper::edges::web::{Origins, router};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_person_signs_in_over_a_socket() {
    let house = scene::morning().await;
    let preview = std::env::var("SMOKEJUMPER_PREVIEW").ok();
    let listener = TcpListener::bind(preview.as_deref().unwrap_or("127.0.0.1:0")).await.unwrap();
    let address = listener.local_addr().unwrap();
    let web = house.web(Origins::loopback(address.port()));
    let server = tokio::spawn(axum::serve(listener, router(&web)).into_future());
    let token = house.logins.mint(scene::who("ana")).unwrap();
    if preview.is_some() {
        for id in ["ana", "bo"].into_iter().cycle().take(20) {
            println!("{id} http://{address}/login?token={}", house.logins.mint(scene::who(id)).unwrap());
        }
        server.await.unwrap().unwrap();
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let base = format!("http://{address}");
    let opened = client
        .post(format!("{base}/login"))
        .header("origin", &base)
        .header("content-type", "application/x-www-form-urlencoded");
    let opened = opened.body(format!("token={token}")).send().await.unwrap();
    assert_eq!(opened.status(), 303);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let list = client.get(&base).header("cookie", cookie).send().await.unwrap();
    assert_eq!(list.status(), 200);
    let list = list.text().await.unwrap();
    assert!(list.contains("INC-142") && list.contains("Ana Torres"), "{list}");
    web.hang_up();
    server.abort();
}
