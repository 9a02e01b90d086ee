window.YTD.following.part1 = [ {
  "following" : {
    "accountId" : "12",
    "userLink" : "https://example.com/12"
  }
} ]